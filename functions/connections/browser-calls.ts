/**
 * The calls that a browser page may make to this function with an instance token: read the instance, refresh
 * it, and rotate the token. All other calls take the user's secrets, which must not be in a browser
 * (own-instance.ts).
 * @param path path below the base path
 * @returns methods for a preflight; empty: this path has no calls for browsers
 */
export function browserMethods(path: string): readonly string[] {
  const [first, , ...below] = path.split("/").slice(1);
  const [root, ...rest] = first === "elements" ? below : path.split("/").slice(1);
  if (root !== "instances") return [];
  const call = rest.filter((segment) => segment !== "").at(-1);
  return call === "token" || call === "refresh" ? ["POST"] : ["GET", "HEAD"];
}
