import { errorCodes } from "../../functions/core/error-codes.ts";
import { allContracts } from "./all-contracts.ts";
import { credentials } from "./document.ts";

/** The text of docs/api.md: one line for each call, and all error codes. */
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

\`npm run openapi\` generates this page from the contracts of the routes. It also generates [openapi.json](openapi.json), which has each body, answer and error; a deployment serves that file at \`GET /elements/api-v2/openapi.json\`. For details see [documents.md](documents.md) (the Documents hub), [proxy.md](proxy.md) (the proxy) and [connecting.md](connecting.md) (signing in).

Everything is below \`<host>/elements/api-v2\`. Credentials go into \`Authorization\`: \`User <user secret>, Organization <organization secret>\` or \`Bearer <user secret>\`; an instance token as \`Bearer <instance token>\`, or as \`Element <instance token>\` together with the user's secrets. A call that answers GET also answers HEAD, except the calls for links, because a GET makes a link (HEAD: 405). JSON answers have \`Cache-Control: no-store\`, a file's bytes \`private, no-cache\`.

${calls.join("\n")}
## Errors

\`{"requestId", "message", "code", "detail"?}\` with the HTTP status; \`detail.field\` names the invalid field of a request, \`detail.vendor\` holds the vendor's own words, without secrets.

| code | status | meaning |
|---|---|---|
${codes.join("\n")}
`;
}
