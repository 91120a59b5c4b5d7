/** `yyyy-MM-dd'T'HH:mm:ss'Z'`, UTC: old clients parse times of whole seconds and nothing else. */
export function isoSeconds(at: Date | number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
}
