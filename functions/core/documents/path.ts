import { InvalidRequest } from "../errors.ts";

/** Longest name of a file or folder that any of our vendors accepts, in UTF-16 units. */
const MAX_NAME = 255;
const MAX_PATH = 4096;
/** For a vendor addressed by id, each name costs one call, and each missing folder costs another. */
const MAX_NAMES = 200;

/**
 * Normalizes an absolute path: no slash at the end and no empty segments; `/` is the root.
 * @throws {InvalidRequest} relative, too long or too deep, with `.` or `..` segments or a NUL
 */
export function parsePath(path: string, field = "path"): string {
  if (!path.startsWith("/")) {
    throw new InvalidRequest(
      `${field} must be absolute: it begins with /, for example /reports/a.txt`,
      field,
    );
  }
  if (path.length > MAX_PATH)
    throw new InvalidRequest(`${field} is longer than ${MAX_PATH} characters`, field);
  const names = path.split("/").filter((name) => name !== "");
  if (names.length > MAX_NAMES)
    throw new InvalidRequest(`${field} has more than ${MAX_NAMES} folders`, field);
  for (const name of names) checkName(name, field);
  return `/${names.join("/")}`;
}

/** @throws {InvalidRequest} a name that no item of a folder can have */
export function checkName(name: string, field = "name"): string {
  if (/^\.{0,2}$/.test(name) || name.includes("/") || name.includes("\0") || !name.isWellFormed()) {
    throw new InvalidRequest(`${field} has a name that cannot be used: ${JSON.stringify(name)}`, field);
  }
  if (name.length > MAX_NAME) {
    throw new InvalidRequest(`${field} has a name of more than ${MAX_NAME} characters`, field);
  }
  return name;
}

export function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

export function joinPath(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

/** True for the folder itself and for all items below it. */
export function isWithin(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}

/** How a vendor compares paths: Dropbox and many others ignore case. */
export function comparable({ ignoresCase }: { readonly ignoresCase?: boolean }, path: string): string {
  return ignoresCase === true ? path.toLowerCase() : path;
}
