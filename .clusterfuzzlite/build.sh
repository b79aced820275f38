#!/bin/bash -eu
# Builds every target for Jazzer.js: one entry point each, with its first inputs and its dictionary.
cd "$SRC/pugmark"
npm ci --ignore-scripts
npm run build
npm install --no-save @jazzer.js/core
node dist/fuzz/cluster/entry-points.js dist/fuzz/entry-points "$OUT"
for seeds in "$OUT"/seeds/*/; do
  (cd "$seeds" && zip -q -r "$OUT/$(basename "$seeds")_seed_corpus.zip" .)
done
rm -r "$OUT/seeds"
for entry in dist/fuzz/entry-points/*.js; do
  compile_javascript_fuzzer pugmark "$entry" -i dist/fuzz/targets.cjs --sync
done
