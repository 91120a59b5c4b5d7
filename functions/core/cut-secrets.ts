import { textFinder } from "./find-text.ts";

/**
 * Masks secrets in a vendor's text, also in URL-encoded, form-encoded and JSON-escaped form; control characters
 * become blanks.
 * @param secrets the secrets in the request that the text answers; secrets of less than 4 characters are left,
 *   because they match by chance
 */
export function cutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  const forms = new Set(
    secrets.flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      // Form encoding, which escapes other characters than encodeURIComponent.
      new URLSearchParams([["", secret]]).toString().slice(1),
      JSON.stringify(secret).slice(1, -1),
    ]),
  );
  for (const secret of [...forms].sort((a, b) => b.length - a.length)) {
    if (secret.length >= 4) clean = masked(clean, secret);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is taken out
  return clean.replace(/[\u0000-\u001f\u007f]+/g, " ");
}

/**
 * Like `replaceAll`, but in linear time, because the caller controls the secret (a code, a verifier) and the vendor controls
 * the text.
 */
function masked(text: string, secret: string): string {
  const find = textFinder(secret);
  let clean = "";
  let at = 0;
  for (let found = find(text); found >= 0; found = find(text, at)) {
    clean += `${text.slice(at, found)}********`;
    at = found + secret.length;
  }
  return clean + text.slice(at);
}
