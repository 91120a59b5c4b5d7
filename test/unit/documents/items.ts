import type { DocumentsItem } from "../../../functions/core/documents/item.ts";

export function file(name: string, more: Partial<DocumentsItem> = {}): DocumentsItem {
  return {
    id: `id-${name}`,
    reference: `id-${name}`,
    name,
    path: `/${name}`,
    directory: false,
    raw: {},
    ...more,
  };
}

export function folder(name: string): DocumentsItem {
  return file(name, { directory: true });
}
