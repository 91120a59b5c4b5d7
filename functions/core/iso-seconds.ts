/** `yyyy-MM-dd'T'HH:mm:ss'Z'`, UTC: old clients can only parse times of whole seconds. */
export function isoSeconds(at: Date | number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
}
