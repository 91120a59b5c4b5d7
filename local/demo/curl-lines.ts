/**
 * The shell line that sets BASE and AUTH from demo.json. Pages show this line, never the secrets: any user
 * of this machine can open a page, but only its owner can read the file.
 */
export function readSecretsCommand(file: string): string {
  return `eval "$(node -p 'const d=JSON.parse(require("fs").readFileSync("${file}","utf8")); \`BASE=\${d.baseUrl} AUTH="User \${d.userSecret}, Organization \${d.organizationSecret}"\`')"`;
}

/**
 * A POST to Linkspan with the secrets that `readSecretsCommand` read.
 * @param path contains no character that is special to a shell
 */
export function postCommand(path: string, payload: object): string {
  return `curl -s -X POST "$BASE${path}" \\
  -H "Authorization: $AUTH" \\
  -H "Content-Type: application/json" \\
  -d '${JSON.stringify(payload).replaceAll("'", "'\\''")}'`;
}
