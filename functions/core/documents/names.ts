import { InvalidRequest } from "../errors.ts";
import type { DocumentsItem } from "./item.ts";
import { checkName } from "./path.ts";
import type { NameRules } from "./vendor.ts";

/**
 * Checks the name of a new, renamed, moved or copied item.
 * @throws {InvalidRequest} no item can have it, or the vendor's rules refuse it
 */
export function checkNewName(vendor: { readonly names?: NameRules }, name: string, field = "name"): string {
  checkName(name, field);
  const reason = vendor.names?.refuse?.(name);
  if (reason !== undefined) {
    throw new InvalidRequest(
      `${field} has a name that cannot be used, ${JSON.stringify(name)}: ${reason}`,
      field,
    );
  }
  return name;
}

/** An item's name as it is written in paths. */
export function nameInPath(
  vendor: { readonly names?: NameRules },
  { name, pathName }: Pick<DocumentsItem, "name" | "pathName">,
): string {
  return pathName ?? vendor.names?.shown?.(name) ?? name;
}

/** The vendor's name for a part of a path: the item's own name, if the part only writes it in another way. */
export function nameFromPath(
  vendor: { readonly names?: NameRules },
  item: Pick<DocumentsItem, "name" | "pathName">,
  inPath: string,
): string {
  return inPath === nameInPath(vendor, item) ? item.name : inPath;
}
