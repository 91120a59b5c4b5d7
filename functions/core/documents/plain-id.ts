/** An id of a URL as the vendor wrote it: callers send it percent-encoded or not. */
export function plainId(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
