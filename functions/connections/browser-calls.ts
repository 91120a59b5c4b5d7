/**
 * What a browser page may call here with an instance token: it reads its instance, has it refreshed, and rotates itself. All else
 * takes the user's secrets, which belong into no browser (own-instance.ts).
 * @param path below the base path
 * @returns methods for a preflight; none: nothing at this path is for browsers
 */
export function browserMethods(path: string): readonly string[] {
  const [first, , ...below] = path.split("/").slice(1);
  const [root, ...rest] = first === "elements" ? below : path.split("/").slice(1);
  if (root !== "instances") return [];
  const call = rest.filter((segment) => segment !== "").at(-1);
  return call === "token" || call === "refresh" ? ["POST"] : ["GET", "HEAD"];
}
