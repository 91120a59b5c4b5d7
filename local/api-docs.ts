import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

const folder = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

/** Path of the page. */
export const API_DOCS = "/api-docs";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Linkspan API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${API_DOCS}/swagger-ui.css">
<style>body{margin:0}header{font:16px/1.5 system-ui,sans-serif;padding:.8rem 1.25rem;border-bottom:1px solid #dbe2e9}header a{color:#0b5cad}section{overflow-wrap:anywhere}</style>
</head>
<body>
<header><a href="/">Back to the demo app</a></header>
<section id="page" aria-label="Linkspan API"></section>
<script src="${API_DOCS}/swagger-ui-bundle.js"></script>
<script src="${API_DOCS}/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({
  url: "/elements/api-v2/openapi.json",
  dom_id: "#page",
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
});
`;

const files: Readonly<Record<string, readonly [type: string, read: () => Promise<string | Buffer>]>> = {
  [API_DOCS]: ["text/html; charset=utf-8", async () => PAGE],
  [`${API_DOCS}/start.js`]: ["text/javascript", async () => START],
  [`${API_DOCS}/swagger-ui.css`]: ["text/css", () => readFile(path.join(folder, "swagger-ui.css"))],
  [`${API_DOCS}/swagger-ui-bundle.js`]: [
    "text/javascript",
    () => readFile(path.join(folder, "swagger-ui-bundle.js")),
  ],
};

/** Serves the API's description as a Swagger UI page. */
export function serveApiDocs(request: IncomingMessage, response: ServerResponse): void {
  const [pathname = ""] = (request.url ?? "").split("?");
  const file = request.method === "GET" && Object.hasOwn(files, pathname) ? files[pathname] : undefined;
  if (file === undefined) {
    response.writeHead(404, { "Content-Type": "text/plain" }).end("there is no such page\n");
    return;
  }
  const [type, read] = file;
  read().then(
    (body) => response.writeHead(200, { ...HEADERS, "Content-Type": type }).end(body),
    () => response.writeHead(500, { "Content-Type": "text/plain" }).end("the page cannot be read\n"),
  );
}

const HEADERS = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy":
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
};
