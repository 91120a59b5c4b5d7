import type { NameRules } from "../../vendor.ts";

/**
 * Characters that ShareFile refuses, and those that Windows refuses besides: ShareFile's support page CTX234774
 * names them ("should not be used"), and rclone found them by trying
 * (https://github.com/rclone/rclone/blob/master/backend/sharefile/sharefile.go, 2026-11-27). The page's `.`, `,` and
 * `;` are accepted by the API.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: ShareFile refuses control characters.
const REFUSED = /[\u0000-\u001f\u007f\\/:*?"<>|]/;

const MAX_CHARACTERS = 256;

export const names: NameRules = {
  refuse(name) {
    const found = REFUSED.exec(name)?.[0];
    if (found !== undefined) return `ShareFile allows no ${JSON.stringify(found)} in a name`;
    if (/^[\s.]|[\s.]$/.test(name))
      return "ShareFile allows no name that begins or ends with a blank or a period";
    if (name.length > MAX_CHARACTERS) return `ShareFile allows ${MAX_CHARACTERS} characters in a name`;
    return undefined;
  },
};
