import type { NameRules } from "../../vendor.ts";

/**
 * https://learn.microsoft.com/en-us/graph/onedrive-addressing-driveitems: reserved characters, no period at a folder's end, no
 * tilde at the start; and
 * https://support.microsoft.com/en-us/office/restrictions-and-limitations-in-onedrive-and-sharepoint-64883a5d-228e-48f5-b3d2-eb39e07630fa
 * (2026-11-27): quotes, blanks, names of devices, `_vti_`. Since the page about addressing was written, `#` and `%` are allowed.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: no file of Windows has control characters.
const CHARACTERS = /["*:<>?/\\|\u0000-\u001f]/;
const RESERVED = /^(?:\.lock|con|prn|aux|nul|com\d|lpt\d|desktop\.ini)$/i;

export const names: NameRules = {
  refuse(name) {
    const found = CHARACTERS.exec(name)?.[0];
    if (found !== undefined) return `OneDrive and SharePoint allow no ${JSON.stringify(found)} in a name`;
    if (name.startsWith(" ") || name.endsWith(" "))
      return "OneDrive and SharePoint allow no name that begins or ends with a blank";
    if (name.startsWith("~")) return "OneDrive and SharePoint allow no name that begins with ~";
    if (name.endsWith(".")) return "OneDrive and SharePoint allow no folder whose name ends with a period";
    if (RESERVED.test(name) || name.toLowerCase().includes("_vti_"))
      return "OneDrive and SharePoint reserve this name";
    return undefined;
  },
};

/** Whether no item can have this name; then a call about it would be refused as malformed. */
export function isImpossible(name: string): boolean {
  return CHARACTERS.test(name);
}
