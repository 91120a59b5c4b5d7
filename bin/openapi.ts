import { readFile, writeFile } from "node:fs/promises";
import { apiPage } from "./openapi/api-page.ts";
import { openApiDocument } from "./openapi/document.ts";

// npm run openapi: writes docs/openapi.json and docs/api.md from the contracts of the routes. With --check,
// writes nothing, and fails if a file differs from the text that it would write.

const document = openApiDocument();
const files = {
  "docs/openapi.json": `${JSON.stringify(document, null, 1)}\n`,
  "docs/api.md": apiPage(),
};

const stale: string[] = [];
for (const [name, text] of Object.entries(files)) {
  const file = new URL(`../${name}`, import.meta.url);
  if ((await readFile(file, "utf8").catch(() => "")) === text) continue;
  if (process.argv.includes("--check")) stale.push(name);
  else await writeFile(file, text);
}
if (stale.length > 0) {
  console.error(`${stale.join(" and ")} differ from the contracts of the routes: run npm run openapi`);
  process.exitCode = 1;
}
