import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type ConfigBlock,
  type ConfigEntry,
  type ConfigStruct,
  type ConfigSyntax,
  type ConfigTree,
  type ConfigValue,
  configText,
  parseConfig,
  writeConfig,
  writeConfigValue,
} from "../../src/codec/config.js";
import {
  configAdd,
  configDuplicates,
  configEntry,
  configGet,
  configGetAll,
  configGetStruct,
  configGetText,
  configRemove,
  configSet,
} from "../../src/codec/config-edit.js";
import { quote, quoteIfNeeded, unquote } from "../../src/codec/config-token.js";
import { FormatError } from "../../src/codec/error.js";
import { decodeText, textByteLength } from "../../src/codec/text.js";
import { processorMillis } from "../support/clock.js";

const test = suite("codec: config");

/** The tree as plain values: what the text says. */
function plain(block: ConfigBlock): unknown[] {
  return block.entries.map(({ key, value }) => {
    const shown = value.kind === "struct" ? plain(value) : value.kind === "alone" ? true : configText(value);
    return key === "" ? shown : [key, shown];
  });
}

function failure(text: string, options = {}): FormatError {
  try {
    parseConfig(text, options);
  } catch (error) {
    assert.instance(error, FormatError, `${error}`);
    return error as FormatError;
  }
  return assert.unreachable(`accepted: ${text}`) as never;
}

const real =
  "access_pattern_hint=none,allocation_size=4KB,app_metadata=,assert=(commit_timestamp=none,write_timestamp=off)," +
  "columns=,encryption=(keyid=,name=),id=0,verbose=[],version=(major=2,minor=1)," +
  'checkpoint=(WiredTigerCheckpoint.19=(addr="018381e4",order=19,newest_stop_ts=-1,next_page_id=100)),' +
  "checkpoint_backup_info=,checkpoint_lsn=(4294967295,2147483647)";

const accepted: ReadonlyArray<readonly [string, unknown[]]> = [
  ["", []],
  [" \n,\t,", []],
  ["create", [["create", true]]],
  [
    "create,cache_size=5GB",
    [
      ["create", true],
      ["cache_size", "5GB"],
    ],
  ],
  ["a=", [["a", ""]]],
  [
    "a=,b=",
    [
      ["a", ""],
      ["b", ""],
    ],
  ],
  ["a=(b=)", [["a", [["b", ""]]]]],
  ["a=()", [["a", []]]],
  ["a=[]", [["a", []]]],
  ["a={}", [["a", []]]],
  [
    ",,a=1,,b=2,,",
    [
      ["a", "1"],
      ["b", "2"],
    ],
  ],
  [
    " a = 1 , b : 2 ",
    [
      ["a", "1"],
      ["b", "2"],
    ],
  ],
  [
    "a=(1,2)",
    [
      [
        "a",
        [
          ["1", true],
          ["2", true],
        ],
      ],
    ],
  ],
  [
    '{"a": {"b": [1, "x"]}, "c" : true}',
    [
      [
        [
          "a",
          [
            [
              "b",
              [
                ["1", true],
                ["x", true],
              ],
            ],
          ],
        ],
        ["c", "true"],
      ],
    ],
  ],
  ["k=((p.1=(id=1)),v=1)", [["k", [[["p.1", [["id", "1"]]]], ["v", "1"]]]]],
  ['a="x,y=(z)"', [["a", "x,y=(z)"]]],
  ['a="q\\"q\\\\\\n\\u0041\\z"', [["a", 'q"q\\\nAz']]],
  ['"a b"=1', [["a b", "1"]]],
  ['extensions=["/x/y.so"=(config="(n=1)")]', [["extensions", [["/x/y.so", [["config", "(n=1)"]]]]]]],
  [
    "a=-1,b=1.5,c=/x/y.z,d=a\\b",
    [
      ["a", "-1"],
      ["b", "1.5"],
      ["c", "/x/y.z"],
      ["d", "a\\b"],
    ],
  ],
  ["naïve=Ü", [["naïve", "Ü"]]],
  [
    "a=1,a=2",
    [
      ["a", "1"],
      ["a", "2"],
    ],
  ],
];

test("reads what the grammar allows and writes it back", () => {
  for (const [text, expected] of accepted) {
    const tree = parseConfig(text);
    assert.equal(plain(tree), expected, text);
    assert.is(writeConfig(tree), text);
  }
});

test("says what is wrong, where, and on which path", () => {
  const rejected: ReadonlyArray<readonly [string, string, number, string]> = [
    ["a=(b=1", "config-unclosed", 2, "a"],
    ["a=1)", "config-syntax", 3, ""],
    ["a=(b=1]", "config-syntax", 6, "a"],
    ["a=[1}", "config-syntax", 4, "a"],
    ['a=("b', "config-unclosed", 3, "a"],
    ['a="b\\', "config-unclosed", 2, "a"],
    ["=1", "config-syntax", 0, ""],
    ["a==1", "config-syntax", 2, "a"],
    ["a=b:c", "config-syntax", 3, ""],
    ["a=1 b=2", "config-syntax", 4, ""],
    ["a=(1)b", "config-syntax", 5, ""],
    ['a="x"y', "config-syntax", 5, ""],
    ["(a)=1", "config-syntax", 3, ""],
    ["a=\u0001", "config-syntax", 2, "a"],
    ["a=1\u0000", "config-syntax", 3, ""],
    ['a="\u0000"', "config-syntax", 3, "a"],
    ["ü=(é=(((x=1", "config-unclosed", 9, "ü.é[0][0]"],
    ['c=(N.3=(addr="00', "config-unclosed", 13, "c.N.3.addr"],
  ];
  for (const [text, code, offset, path] of rejected) {
    const error = failure(text);
    assert.equal([error.code, error.offset, error.path], [code, offset, path], text);
  }
});

test("nesting is bounded", () => {
  const nested = (depth: number) => `a=${"(".repeat(depth)}${")".repeat(depth)}`;
  assert.is(writeConfig(parseConfig(nested(64))), nested(64));
  assert.is(failure(nested(65)).code, "config-depth");
  assert.is(failure("(((", { maxDepth: 2 }).offset, 2);
  assert.is(failure("(".repeat(1_000_000)).code, "config-depth");
});

test("offsets are bytes", () => {
  const tree = parseConfig('é="ü",b=(c=1)', {});
  const [first, second] = tree.entries;
  assert.equal([first!.offset, first!.value.offset, second!.offset, second!.value.offset], [0, 3, 8, 10]);
  const struct = second!.value as ConfigStruct;
  assert.equal(
    [struct.entries[0]!.offset, struct.entries[0]!.value.offset, struct.closeOffset],
    [11, 13, 14],
  );
  assert.is(textByteLength(writeConfig(tree)), 15);
});

test("configuration files: newlines separate, # begins a comment line", () => {
  const text =
    "# Do not modify = (\n#\n\n  # indented\ncache_size=200MB\nversion=(major=12,minor=0)\nempty=\nx=(1\n2)\n";
  const tree = parseConfig(text, { syntax: "file" });
  assert.equal(plain(tree), [
    ["cache_size", "200MB"],
    [
      "version",
      [
        ["major", "12"],
        ["minor", "0"],
      ],
    ],
    ["empty", ""],
    [
      "x",
      [
        ["1", true],
        ["2", true],
      ],
    ],
  ]);
  assert.is(writeConfig(tree), text);
  assert.is(failure(text).code, "config-syntax");
});

test("looks up by path; of duplicates the later one wins", () => {
  const tree = parseConfig(real);
  assert.is(configGetText(tree, "checkpoint.WiredTigerCheckpoint.19.addr"), "018381e4");
  assert.is(configGetText(tree, ["checkpoint", "WiredTigerCheckpoint.19", "order"]), "19");
  assert.is(configGetText(tree, "version.major"), "2");
  assert.is(configGetText(tree, "checkpoint_lsn[1]"), "true");
  assert.is(configEntry(tree, "checkpoint_lsn[1]")!.key, "2147483647");
  assert.is(configEntry(tree, ["checkpoint_lsn", 0])!.key, "4294967295");
  assert.is(configGetText(tree, "encryption.keyid"), "");
  assert.is(configGetText(tree, "encryption"), undefined);
  assert.is(configGetStruct(tree, "verbose")!.entries.length, 0);
  assert.is(configGetStruct(tree, "id"), undefined);
  for (const absent of [
    "nope",
    "version.nope",
    "version.major.x",
    "versio",
    "checkpoint_lsn[2]",
    "[0].x",
    [],
  ]) {
    assert.is(configGet(tree, absent), undefined, String(absent));
  }
  const twice = parseConfig("a=(x=1),b=1,a=(x=2,x=3),a.x=4,b=2");
  assert.is(configGetText(twice, "a.x"), "4");
  assert.is(configGetText(twice, ["a", "x"]), "3");
  assert.equal(
    configGetAll(twice, "a.x").map((entry) => configText(entry.value)),
    ["1", "2", "3", "4"],
  );
  assert.is(configGetText(parseConfig("k=((p.1=(id=7)))"), "k[0].p.1.id"), "7");
});

test("lists duplicates of keys but not of list items", () => {
  const tree = parseConfig("l=(1,1),a=1,s=(x=1,y=(z,z=1),x=2),a=2");
  assert.equal(configDuplicates(tree), [
    { path: "a", offsets: [8, 34] },
    { path: "s.x", offsets: [15, 29] },
    { path: "s.y.z", offsets: [22, 24] },
  ]);
});

test("a change touches the bytes of that value only", () => {
  const tree = parseConfig(real);
  const set = (path: string, value: Parameters<typeof configSet>[2]) =>
    writeConfig(configSet(tree, path, value));
  assert.is(set("id", 17), real.replace("id=0", "id=17"));
  assert.is(set("checkpoint.WiredTigerCheckpoint.19.addr", "ff"), real.replace('"018381e4"', '"ff"'));
  assert.is(set("app_metadata", "a,b"), real.replace("app_metadata=", 'app_metadata="a,b"'));
  assert.is(set("allocation_size", ""), real.replace("=4KB", "="));
  assert.is(
    set("verbose", { kind: "struct", offset: 0, closeOffset: 0, open: "(", entries: [], trailing: "" }),
    real.replace("[]", "()"),
  );
  const changed = configSet(tree, "id", 17n);
  assert.is(configEntry(changed, "verbose")!.offset, configEntry(tree, "verbose")!.offset + 1);
  const flag = parseConfig("create,x=1");
  assert.is(writeConfig(configSet(flag, "create", false)), "create=false,x=1");
  assert.is(writeConfig(configSet(parseConfig("a=1, a : 2"), "a", 3)), "a=1, a : 3");
  assert.throws(
    () => configSet(tree, "nope.x", 1),
    (error: FormatError) => error.code === "config-missing",
  );
  assert.throws(
    () => configSet(tree, "id", { kind: "bare", offset: 0, raw: "1)" }),
    (error: FormatError) => error.code === "config-syntax",
  );
});

test("entries can be added and removed", () => {
  const tree = parseConfig("a=1,b=(),c=(x=1),");
  assert.is(writeConfig(configAdd(tree, [], "d", "two words")), 'a=1,b=(),c=(x=1),d="two words",');
  assert.is(writeConfig(configAdd(tree, "b", "y", 2)), "a=1,b=(y=2),c=(x=1),");
  assert.is(writeConfig(configAdd(tree, "c", "y", 2)), "a=1,b=(),c=(x=1,y=2),");
  assert.is(writeConfig(configAdd(tree, [], "z", 0, 0)), "z=0,a=1,b=(),c=(x=1),");
  assert.is(writeConfig(configRemove(tree, "a")), "b=(),c=(x=1),");
  assert.is(writeConfig(configRemove(tree, "b")), "a=1,c=(x=1),");
  assert.is(writeConfig(configRemove(tree, "c.x")), "a=1,b=(),c=(),");
  assert.throws(
    () => configAdd(tree, "a", "x", 1),
    (error: FormatError) => error.code === "config-missing",
  );
  assert.throws(
    () => configRemove(tree, "x"),
    (error: FormatError) => error.code === "config-missing",
  );
});

test("any text survives quoting", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.is(unquote(quote(text)), text);
      const token = quoteIfNeeded(text);
      assert.is(configGetText(parseConfig(`k=${token}`), "k"), text);
      assert.is(parseConfig(`${token}=1`).entries[0]!.key, text);
    }),
  );
});

const space = fc.constantFrom("", "", "", " ", "\n", "\t ");
const bareToken = fc.stringMatching(/^[-_0-9A-Za-z./][-_0-9A-Za-z./]{0,8}$/);
const quotedToken = fc.string({ maxLength: 6 }).map(quote);
const keyToken = fc.oneof({ weight: 4, arbitrary: bareToken }, { weight: 1, arbitrary: quotedToken });
const separator = fc.tuple(space, fc.constantFrom(",", ",", ",\n", " , ,")).map((parts) => parts.join(""));
const assignment = fc.tuple(space, fc.constantFrom("=", "=", ":"), space).map((parts) => parts.join(""));

interface Scalar {
  readonly raw: string;
}
const { entries: entryList } = fc.letrec<{ entries: ConfigBlock; entry: ConfigEntry; value: ConfigValue }>(
  (tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      bareToken.map((raw): ConfigValue => ({ kind: "bare", offset: 0, raw })),
      quotedToken.map((raw): ConfigValue => ({ kind: "quoted", offset: 0, raw })),
      fc
        .tuple(tie("entries"), fc.constantFrom("(", "[", "{"))
        .map(
          ([block, open]) => ({ ...block, kind: "struct", offset: 0, closeOffset: 0, open }) as ConfigValue,
        ),
    ),
    entry: fc.oneof(
      fc
        .tuple(keyToken, assignment, tie("value"))
        .map(([keyRaw, assign, value]) => built(keyRaw, assign, value)),
      keyToken.map((keyRaw) => built(keyRaw, "", { kind: "alone", offset: 0 })),
      keyToken.map((keyRaw) => built(keyRaw, "=", { kind: "empty", offset: 0 })),
    ),
    entries: fc
      .tuple(
        fc.array(tie("entry"), { maxLength: 5 }),
        fc.array(separator, { minLength: 5, maxLength: 5 }),
        space,
        space,
      )
      .map(([entries, separators, first, last]) => ({
        entries: entries.map((entry, at) => ({ ...entry, leading: at === 0 ? first : separators[at]! })),
        trailing: last,
      })),
  }),
);

function built(keyRaw: string, assign: string, value: ConfigValue): ConfigEntry {
  return { leading: "", key: unquote(keyRaw), keyRaw, offset: 0, assign, value };
}

/** A tree without offsets and without the white space around empty values, which the text does not tell apart. */
function shape(block: ConfigBlock): unknown {
  return block.entries.map(({ keyRaw, value }) => [
    keyRaw,
    value.kind,
    value.kind === "struct" ? [value.open, shape(value)] : (value as Partial<Scalar>).raw,
  ]);
}

test("a random tree written and parsed is the same tree", () => {
  fc.assert(
    fc.property(entryList, (block) => {
      const text = writeConfig(block);
      const tree = parseConfig(text);
      assert.equal(shape(tree), shape(block), text);
      assert.is(writeConfig(tree), text);
    }),
    { numRuns: 3000 },
  );
});

/** Any text either parses and writes back, or fails with a FormatError inside the text. */
function parsesOrFails(text: string, syntax: ConfigSyntax): ConfigTree | undefined {
  try {
    const tree = parseConfig(text, { syntax });
    assert.is(writeConfig(tree), text);
    return tree;
  } catch (error) {
    assert.instance(error, FormatError, `${(error as Error).stack}`);
    const { offset } = error as FormatError;
    assert.ok(offset! >= 0 && offset! <= textByteLength(text));
    return undefined;
  }
}

test("random bytes and mutated real text never do anything else", () => {
  const soup = fc.string({ unit: fc.constantFrom(...'ab=:,()[]{}"\\ \n#\u0000é\udcff'), maxLength: 60 });
  const bytes = fc.uint8Array({ maxLength: 60 }).map(decodeText);
  const mutated = fc
    .tuple(fc.nat(real.length), fc.nat(4), fc.oneof(soup, bytes))
    .map(([at, cut, insert]) => real.slice(0, at) + insert.slice(0, 3) + real.slice(at + cut));
  fc.assert(
    fc.property(
      fc.oneof(soup, bytes, mutated),
      fc.constantFrom<ConfigSyntax>("text", "lines", "file"),
      (text, syntax) => {
        parsesOrFails(text, syntax);
      },
    ),
    { numRuns: 6000 },
  );
});

test("every offset points at its token", () => {
  const check = (block: ConfigBlock, bytes: Uint8Array) => {
    for (const entry of block.entries) {
      const start = entry.keyRaw === "" ? entry.value.offset : entry.offset;
      const token = entry.keyRaw === "" ? writeConfigValue(entry.value) : entry.keyRaw;
      assert.is(Buffer.from(bytes.subarray(start)).indexOf(token), 0);
      assert.is(Buffer.from(bytes.subarray(entry.value.offset)).indexOf(writeConfigValue(entry.value)), 0);
      if (entry.value.kind === "struct") check(entry.value, bytes);
    }
  };
  fc.assert(
    fc.property(entryList, fc.constantFrom("", "é=1,", "ü,\u{1f405}=x ,"), (block, prefix) => {
      const text = prefix + writeConfig(block);
      check(parseConfig(text), Buffer.from(text));
    }),
  );
});

test("long text takes linear time", () => {
  const time = (text: string) => {
    const start = processorMillis();
    parsesOrFails(text, "text");
    return processorMillis() - start;
  };
  const texts = [
    `${real},`.repeat(3000),
    "a,".repeat(500_000),
    "é,".repeat(500_000),
    `a=(${"(),".repeat(300_000)})`,
    `"${'\\"'.repeat(500_000)}"`,
    " ".repeat(1_000_000),
    `a${" ".repeat(500_000)}=${" ".repeat(500_000)}`,
  ];
  for (const text of texts) assert.ok(time(text) < 3000, text.slice(0, 20));
});

test.run();
