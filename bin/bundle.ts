import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build, type Metafile, type Plugin } from "esbuild";
import { types } from "mime-types";
import type { Connector } from "../functions/connectors/define-connector.ts";
import { allConnectors } from "../functions/connectors/files-in-source.ts";
import { makeIndex } from "../functions/connectors/make-index.ts";

// node bin/bundle.ts <entry> <folder> [--catalogue <path>] [--tenant-use]: bundles a function for Lambda. The stacks call it, in
// a process of its own: bundling during synthesis is synchronous, esbuild's plugins are not.

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** A module that exports more `connectors`; their hooks are in `hooks` beside it. */
    catalogue: { type: "string" },
    /** With the bound on what an organization may use. Without it neither its code nor its call is in the bundle. */
    "tenant-use": { type: "boolean", default: false },
  },
});
const [entry, folder] = positionals;
const { catalogue, "tenant-use": tenantUse } = options;
if (entry === undefined || folder === undefined) {
  console.error("usage: node bin/bundle.ts <entry> <folder> [--catalogue <path>] [--tenant-use]");
  process.exit(2);
}

/** Some CommonJS dependencies ask for Node's own modules with `require`, which an ES module does not have. */
const banner =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

const libDynamodb = /\/node_modules\/@aws-sdk\/lib-dynamodb\//;

/**
 * Leaves out files of lib-dynamodb that nothing is taken from. It does not say that it has no side effects, as the clients do
 * (and as our package.json says of us): each bundle would hold its paginators, and with them Query and Scan, which most
 * functions neither call nor may call.
 */
const withoutSideEffects: Plugin = {
  name: "without-side-effects",
  setup(builder) {
    // Its index and what that one exports. Each import that matches costs a call out of esbuild: few do.
    const filter = /^@aws-sdk\/lib-dynamodb$|^\.\/(commands|pagination|DynamoDBDocument)/;
    builder.onResolve({ filter }, async ({ path, pluginData, ...from }) => {
      const isInside = libDynamodb.test(from.importer) || !path.startsWith(".");
      if (pluginData === libDynamodb || !isInside) return undefined;
      return { ...(await builder.resolve(path, { ...from, pluginData: libDynamodb })), sideEffects: false };
    });
  },
};

/** Of mime-types functions need the types by extension: 40 KB in place of all that mime-db knows, 190 KB. */
const typesByExtension: Plugin = {
  name: "types-by-extension",
  setup(builder) {
    builder.onLoad({ filter: /\/node_modules\/mime-types\/index\.js$/ }, () => ({
      // Text, which a start does not have to parse as code.
      contents: `export const types = JSON.parse(${JSON.stringify(JSON.stringify(types))});`,
    }));
  },
};

/**
 * The files that an entry point comes to: `index.mjs`, and the hooks where connectors are read. esbuild also makes some for
 * dynamic imports in code that it then left out.
 */
function reachable({ outputs }: Metafile, readsConnectors: boolean): Set<string> {
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    for (const imported of outputs[path]?.imports ?? []) if (imported.path in outputs) visit(imported.path);
  };
  const entries = [entry as string, ...(readsConnectors ? hooks.map(([, file]) => file) : [])].map((each) =>
    resolve(each),
  );
  for (const [path, { entryPoint }] of Object.entries(outputs))
    if (entryPoint !== undefined && entries.includes(resolve(entryPoint))) visit(path);
  return found;
}

/** Folders with hooks, and all of their files as entry points: each is loaded by its name (functions/connectors/files-in-bundle.ts). */
const hookFolders = [
  "functions/connectors/hooks",
  ...(catalogue === undefined ? [] : [join(dirname(catalogue), "hooks")]),
].filter((each) => existsSync(each));
const hooks = hookFolders.flatMap((from) =>
  readdirSync(from).map((file) => [`hooks/${file.replace(/\.ts$/, "")}`, join(from, file)] as const),
);

const { outputFiles, metafile } = await build({
  entryPoints: { index: entry, ...Object.fromEntries(hooks) },
  outdir: folder,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node24",
  mainFields: ["module", "main"],
  // `lambda`: what reads the files that are written below (package.json's `imports`). `module` goes when it is not named.
  conditions: ["module", "lambda"],
  // What is imported on rare paths only (S3, SQS) becomes files of its own that a cold start does not read.
  splitting: true,
  // What a function's role does not allow is not in its bundle: the call that adds up what is used comes with its permission.
  define: tenantUse ? {} : { "process.env.TENANT_REQUESTS_PER_MINUTE": "undefined" },
  // A cold start reads less. Names stay: stack traces tell functions, and grants can be compared with the SDK's commands in here.
  minifySyntax: true,
  minifyWhitespace: true,
  charset: "utf8",
  sourcemap: "external",
  sourcesContent: false,
  banner: { js: banner },
  plugins: [withoutSideEffects, typesByExtension],
  logLevel: "warning",
  metafile: true,
  write: false,
});

/** Whether anything of a module is in the bundle. */
const holds = (module: string): boolean =>
  Object.values(metafile.outputs).some(({ inputs }) => (inputs[module]?.bytesInOutput ?? 0) > 0);
const readsConnectors = holds("functions/connectors/files-in-bundle.ts");
const wanted = reachable(metafile, readsConnectors);
for (const { path, contents } of outputFiles) {
  if (!wanted.has(relative(process.cwd(), path).replace(/\.map$/, ""))) continue;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, contents);
}
if (readsConnectors) await writeConnectors();
if (holds("functions/authorization/openapi.ts")) {
  const description: unknown = JSON.parse(await readFile("docs/openapi.json", "utf8"));
  await writeFile(join(folder, "openapi.json"), JSON.stringify(description));
}

/** Each connector as a file of its own, without its sources, which only people read; and the index of all. */
async function writeConnectors(): Promise<void> {
  const more: readonly Connector[] =
    catalogue === undefined ? [] : (await import(resolve(catalogue))).connectors;
  const connectors = [...allConnectors(), ...more];
  await mkdir(join(folder as string, "connectors"), { recursive: true });
  const write = (name: string, value: unknown): Promise<void> =>
    writeFile(
      join(folder as string, name),
      JSON.stringify(value, (key, part) => (key === "sources" ? undefined : part)),
    );
  await write("connectors.json", await makeIndex(connectors));
  await Promise.all(connectors.map((connector) => write(`connectors/${connector.key}.json`, connector)));
}
