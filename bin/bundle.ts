import { mkdir, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build, type Metafile, type Plugin } from "esbuild";

// node bin/bundle.ts <entry> <folder> [--catalogue <path>] [--tenant-use]: bundles a function for Lambda. The stacks call it, in
// a process of its own: bundling during synthesis is synchronous, esbuild's plugins are not.

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Takes the place of functions/connectors/catalogue.ts. */
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

/** Another catalogue of connectors in the place of ours; it may itself import ours. */
const withCatalogue = (replacement: string): Plugin => ({
  name: "with-catalogue",
  setup(builder) {
    builder.onResolve({ filter: /\/catalogue\.ts$/ }, ({ path, importer, resolveDir }) => {
      const isOurs = resolve(resolveDir, path) === resolve("functions/connectors/catalogue.ts");
      return isOurs && importer !== replacement ? { path: replacement } : undefined;
    });
  },
});

/** The files that `index.mjs` comes to. esbuild also makes some for dynamic imports in code that it then left out. */
function reachable({ outputs }: Metafile): Set<string> {
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    for (const imported of outputs[path]?.imports ?? []) if (imported.path in outputs) visit(imported.path);
  };
  for (const [path, { entryPoint }] of Object.entries(outputs))
    if (entryPoint !== undefined && resolve(entryPoint) === resolve(entry as string)) visit(path);
  return found;
}

const { outputFiles, metafile } = await build({
  entryPoints: { index: entry },
  outdir: folder,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node24",
  mainFields: ["module", "main"],
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
  plugins: [...(catalogue === undefined ? [] : [withCatalogue(resolve(catalogue))]), withoutSideEffects],
  logLevel: "warning",
  metafile: true,
  write: false,
});

const wanted = reachable(metafile);
for (const { path, contents } of outputFiles) {
  if (!wanted.has(relative(process.cwd(), path).replace(/\.map$/, ""))) continue;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, contents);
}
