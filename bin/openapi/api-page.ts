import { errorCodes } from "../../functions/core/error-codes.ts";
import { allContracts } from "./all-contracts.ts";
import { credentials } from "./document.ts";

/** docs/api.md: every call in a line, and every error code. */
export function apiPage(): string {
  const groups = Map.groupBy(allContracts(), ([, { group }]) => group);
  const calls = [...groups].map(
    ([group, contracts]) => `## ${group}

| call | what it does | credentials |
|---|---|---|
${contracts
  .map(([, { method, paths, summary, auth, query, deprecated }]) => {
    const names = Object.entries(query ?? {}).map(([name, { writtenAs = name }]) => writtenAs);
    const taken = names.length === 0 ? "" : ` · ${names.map((name) => `\`${name}\``).join(", ")}`;
    const old = deprecated === true ? " (deprecated)" : "";
    return `| ${paths.map((path) => `\`${method} ${path}\``).join("<br>")} | ${summary}${old}${taken} | ${credentials[auth]} |`;
  })
  .join("\n")}
`,
  );
  const codes = Object.entries(errorCodes).map(
    ([code, { status, meaning }]) => `| \`${code}\` | ${status.join(", ")} | ${meaning} |`,
  );
  return `# API

Made of the routes' contracts by \`npm run openapi\`, as [openapi.json](openapi.json) is, which has each body, answer and error; a deployment serves it at \`GET /elements/api-v2/openapi.json\`. What the Documents hub does beyond one line is in [documents.md](documents.md), the proxy in [proxy.md](proxy.md), signing in in [connecting.md](connecting.md).

Everything is below \`<host>/elements/api-v2\`. Credentials go into \`Authorization\`: \`User <user secret>, Organization <organization secret>\` or \`Bearer <user secret>\`; an instance token as \`Bearer <instance token>\`, or as \`Element <instance token>\` beside the others. Where GET is answered HEAD is, too, but for links: they are made by asking, and a HEAD makes nothing (405). JSON answers say \`Cache-Control: no-store\`, a file's bytes \`private, no-cache\`.

${calls.join("\n")}
## Errors

\`{"requestId", "message", "code", "detail"?}\` with the HTTP status; \`detail.field\` names what was wrong in a request, \`detail.vendor\` holds the vendor's own words, without anything secret.

| code | status | meaning |
|---|---|---|
${codes.join("\n")}
`;
}
