import { readSecretsCommand } from "./demo/curl-lines.ts";
import type { DemoFile } from "./demo/demo-tenant.ts";

/** What `npm start` prints: the platform's address, and the flow as shell lines to paste. */
export function announcement(platform: {
  url: string;
  dataFolder: string;
  demo: DemoFile;
  takeOverUrl?: string;
}): string {
  const { url, dataFolder, demo, takeOverUrl } = platform;
  const file = `${dataFolder}/demo.json`;
  return `
Linkspan ready: ${url}
${takeOverUrl === undefined ? "" : `\nAn older version of the demo app stored its accounts without an owner. They become yours when you open, once:\n  ${takeOverUrl}\n`}
Open it in a browser to use the demo app, or paste these lines (the first reads its values from ${file}):

  ${readSecretsCommand(file)}

  # 1. An authorization URL: open it, sign in, allow. The page that you return to shows step 2 with your code in it.
  curl -s -X POST "$BASE/elements/dropbox/oauth/url" -H "Authorization: $AUTH" -H 'Content-Type: application/json' -d '{"callbackUrl": "${demo.connectors.dropbox?.callbackUrls[0] ?? `${url}/callback/dropbox`}"}'

  # 2. The code becomes an instance: paste the lines of that page, and keep the "token" of the answer.
  TOKEN=lsi_…

  # 3. The same calls for every vendor
  curl -s "$BASE/hubs/documents/folders/contents?path=/" -H "Authorization: Bearer $TOKEN"
  echo 'Hello from Linkspan' | curl -s -X POST "$BASE/hubs/documents/files?path=/hello.txt&overwrite=true" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: text/plain' --data-binary @-
  curl -s "$BASE/hubs/documents/files?path=/hello.txt" -H "Authorization: Bearer $TOKEN"

  # 4. Or the vendor's own API, through the proxy
  curl -s -X POST "$BASE/proxy/2/users/get_current_account" -H "Authorization: Bearer $TOKEN"

The API, call by call: ${url}/api-docs

Vendor consoles (end a token, withdraw a grant, make the vendor fail):
${consoleLines(demo.connectors)}

Ctrl-C stops everything.
`;
}

function consoleLines(connectors: DemoFile["connectors"]): string {
  const width = Math.max(...Object.keys(connectors).map(({ length }) => length));
  return Object.entries(connectors)
    .map(([key, { consoleUrl }]) => `  ${key.padEnd(width)} ${consoleUrl}`)
    .join("\n");
}
