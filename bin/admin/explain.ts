/**
 * Describes an error for an operator: the message without the stack, and a hint about what to do, if known.
 * Never a secret.
 */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const hint = hintFor(error);
  const said = error.message === "" ? error.name : error.message;
  return hint === undefined ? said : `${said}\n${hint}`;
}

function hintFor(error: Error): string | undefined {
  const codes = [error.name, ...codesOf(error)];
  const is = (...names: string[]): boolean => names.some((name) => codes.includes(name));
  if (is("ECONNREFUSED")) return "No server answers: is the local platform running (`npm start`)?";
  if (is("CredentialsProviderError", "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId")) {
    return "AWS refuses these credentials: sign in again, or choose another --profile.";
  }
  if (is("AccessDenied", "AccessDeniedException", "KMSAccessDeniedException")) {
    return "This profile lacks a permission; docs/operations/admin.md lists the permissions an operator needs.";
  }
  if (is("ValidationError") && /does not exist/.test(error.message)) {
    return "Deploy first (`npx cdk deploy --all`), or give the Data stack's name and region with --stack and --region.";
  }
  if (/region is missing/i.test(error.message)) {
    return "There is no such profile, or it has no region: check --profile, or give --region.";
  }
  return undefined;
}

function codesOf(error: Error): string[] {
  const { code, errors, cause } = error as { code?: unknown; errors?: unknown[]; cause?: unknown };
  return [
    ...(typeof code === "string" ? [code] : []),
    ...(errors ?? []).flatMap((each) => (each instanceof Error ? codesOf(each) : [])),
    ...(cause instanceof Error ? codesOf(cause) : []),
  ];
}
