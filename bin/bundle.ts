import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build, type Metafile, type Plugin } from "esbuild";
import { types } from "mime-types";
import type { Connector } from "../functions/connectors/define-connector.ts";
import { allConnectors } from "../functions/connectors/files-in-source.ts";
import { makeIndex } from "../functions/connectors/make-index.ts";

// node bin/bundle.ts <entry> <folder> [--catalogue <path>] [--tenant-use]: bundles a function for Lambda. The
// stacks run it in a separate process, because bundling during synthesis must be synchronous, but esbuild's
// plugins are asynchronous.

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** A module that exports more `connectors`; their hooks are in the folder `hooks` next to it. */
    catalogue: { type: "string" },
    /**
     * Includes the limit on organizations' requests. Without this option, the bundle does not contain its
     * code.
     */
    "tenant-use": { type: "boolean", default: false },
  },
});
const [entry, folder] = positionals;
const { catalogue, "tenant-use": tenantUse } = options;
if (entry === undefined || folder === undefined) {
  console.error("usage: node bin/bundle.ts <entry> <folder> [--catalogue <path>] [--tenant-use]");
  process.exit(2);
}

/**
 * Defines `require`, with which some CommonJS dependencies load Node's own modules, and which an ES module
 * does not have.
 */
const banner =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

const libDynamodb = /\/node_modules\/@aws-sdk\/lib-dynamodb\//;

/**
 * Leaves out unused files of lib-dynamodb. Unlike the clients and Linkspan's own package.json, lib-dynamodb
 * does not declare that it has no side effects: each bundle would contain its paginators, and with them Query
 * and Scan, which most functions neither call nor may call.
 */
const withoutSideEffects: Plugin = {
  name: "without-side-effects",
  setup(builder) {
    // Matches its index and the index's exports. Matches few imports, because each match costs a call from
    // esbuild to Node.
    const filter = /^@aws-sdk\/lib-dynamodb$|^\.\/(commands|pagination|DynamoDBDocument)/;
    builder.onResolve({ filter }, async ({ path, pluginData, ...from }) => {
      const isInside = libDynamodb.test(from.importer) || !path.startsWith(".");
      if (pluginData === libDynamodb || !isInside) return undefined;
      return { ...(await builder.resolve(path, { ...from, pluginData: libDynamodb })), sideEffects: false };
    });
  },
};

/**
 * Keeps only the types by extension of mime-types, which the functions need: 40 KB instead of the 190 KB of
 * mime-db.
 */
const typesByExtension: Plugin = {
  name: "types-by-extension",
  setup(builder) {
    builder.onLoad({ filter: /\/node_modules\/mime-types\/index\.js$/ }, () => ({
      // A JSON text, so that a cold start does not parse it as code.
      contents: `export const types = JSON.parse(${JSON.stringify(JSON.stringify(types))});`,
    }));
  },
};

/**
 * The output files that can be reached from the entry points: `index.mjs`, and the hooks if the bundle reads
 * connectors. esbuild also writes files for dynamic imports in code that it has left out.
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

/**
 * Folders with hooks. All their files are entry points, because each is loaded by its name
 * (functions/connectors/files-in-bundle.ts).
 */
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
  // `lambda` selects the module that reads the files written below (package.json's `imports`). `module` is
  // esbuild's default, which must be repeated here.
  conditions: ["module", "lambda"],
  // Modules that are imported only on rare paths (S3, SQS) become separate files, which a cold start does not
  // read.
  splitting: true,
  // A bundle contains no call that its function's role does not allow: the call that counts requests is
  // included only with its permission.
  define: tenantUse ? {} : { "process.env.TENANT_REQUESTS_PER_MINUTE": "undefined" },
  // A smaller bundle makes a cold start faster. Names are not minified, so that stack traces name functions,
  // and a test can compare a role's permissions with the SDK commands in the bundle.
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

/** Whether any code of a module is in the bundle. */
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

/**
 * Writes a file for each connector, without its sources, which only people read; and the index of all
 * connectors.
 */
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
