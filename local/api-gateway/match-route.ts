import type { ApiResource, MethodModel } from "../template/api-model.ts";

export interface MatchedRoute {
  readonly resource: ApiResource;
  readonly method: MethodModel;
  /** Percent-decoded; null if the path has no parameters. */
  readonly pathParameters: Readonly<Record<string, string>> | null;
}

/**
 * Finds the resource of a path below the stage. A literal child wins over a variable one. There is no
 * backtracking: the search does not leave a branch even if another branch would match.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html and
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html
 *
 * Two guesses, because no page says it: segments are compared as sent, and one slash at the end changes
 * nothing.
 * @returns undefined: no resource has this path and method
 */
export function matchRoute(root: ApiResource, path: string, method: string): MatchedRoute | undefined {
  const segments = path.split("/").slice(1);
  if (segments.at(-1) === "") segments.pop();
  const parameters: Record<string, string> = {};
  let at: ApiResource = root;
  for (const [index, segment] of segments.entries()) {
    const literal = at.literals.get(segment);
    if (literal !== undefined) {
      at = literal;
      continue;
    }
    const { variable } = at;
    if (variable === undefined) return undefined;
    at = variable.resource;
    parameters[variable.name] = decoded(variable.greedy ? segments.slice(index).join("/") : segment);
    if (variable.greedy) break;
  }
  const found = at.methods.get(method) ?? at.methods.get("ANY");
  if (found === undefined) return undefined;
  const pathParameters = Object.keys(parameters).length === 0 ? null : parameters;
  return { resource: at, method: found, pathParameters };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
