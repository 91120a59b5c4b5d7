/** Names that Dropbox keeps for itself: https://help.dropbox.com/sync/files-not-syncing (2026-11-27). */
const RESERVED = /^(desktop\.ini|thumbs\.db|\.ds_store|icon\r|\.dropbox|\.dropbox\.attr)$/i;

/**
 * Why Dropbox refuses a new name. The API documents no rule for blanks at the end; it answers `malformed_path`:
 * https://github.com/dropbox/dropbox-sdk-java/issues/229 and https://rclone.org/dropbox/#restricted-filename-characters (2026-11-27).
 * @returns undefined: Dropbox takes the name
 */
export function refusedName(name: string): string | undefined {
  if (name.endsWith(" ")) return "Dropbox allows no name that ends with a space";
  if (name.includes("\x7f")) return "Dropbox allows no DEL character in a name";
  return RESERVED.test(name) ? "Dropbox keeps this name for itself" : undefined;
}
