/**
 * The line that gives a shell the values of demo.json: BASE and AUTH. A page shows this line and never the secrets: whoever can
 * read the file has them, and any user of this machine can open a page.
 */
export function readSecretsCommand(file: string): string {
  return `eval "$(node -p 'const d=JSON.parse(require("fs").readFileSync("${file}","utf8")); \`BASE=\${d.baseUrl} AUTH="User \${d.userSecret}, Organization \${d.organizationSecret}"\`')"`;
}

/**
 * A POST to Linkspan under the secrets that `readSecretsCommand` read.
 * @param path of nothing that a shell reads
 */
export function postCommand(path: string, payload: object): string {
  return `curl -s -X POST "$BASE${path}" \\
  -H "Authorization: $AUTH" \\
  -H "Content-Type: application/json" \\
  -d '${JSON.stringify(payload).replaceAll("'", "'\\''")}'`;
}
