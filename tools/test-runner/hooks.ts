/** Module hooks: `import "uvu"` of a test file resolves to ./watched-uvu.js, which alone gets the real one. */
import type { InitializeHook, ResolveHook } from "node:module";

let watchedUvu = "";

export const initialize: InitializeHook<{ watchedUvu: string }> = (data) => {
  watchedUvu = data.watchedUvu;
};

export const resolve: ResolveHook = (specifier, context, next) =>
  specifier === "uvu" && context.parentURL !== watchedUvu
    ? { url: watchedUvu, shortCircuit: true }
    : next(specifier, context);
