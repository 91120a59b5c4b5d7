import {
  type IResource,
  LambdaIntegration,
  ResponseTransferMode,
  type RestApi,
} from "aws-cdk-lib/aws-apigateway";
import type { ServiceFunction } from "./service-function.ts";

/**
 * Builds an API's resources, each with ANY to a function that streams.
 *
 * Nothing may stay unmatched, since API Gateway's own 403 for that echoes the Authorization header, and it does not
 * backtrack: so each node has its ANY, and each that has a static child has a catch-all beside it. A node may have one
 * variable child only (`{id}` or `{proxy+}`, not both); the real service refuses a second, every linter lets it pass.
 *
 * @param routes path below the stage -> the function that answers; `""` is the root
 * @throws {Error} a node would get two variable children
 */
export function buildRouteTree(api: RestApi, routes: Readonly<Record<string, ServiceFunction>>): void {
  const integrations = new Map<ServiceFunction, LambdaIntegration>();
  for (const [path, handler] of Object.entries(routes)) {
    const node = path
      .split("/")
      .filter(Boolean)
      .reduce(child, api.root as IResource);
    let integration = integrations.get(handler);
    if (integration === undefined) {
      integration = new LambdaIntegration(handler, {
        responseTransferMode: ResponseTransferMode.STREAM,
        // 29 s unless said otherwise, also when streaming.
        timeout: handler.timeout as NonNullable<typeof handler.timeout>,
        // One permission for a function instead of two for each method: its policy may hold 20 KB only.
        scopePermissionToMethod: false,
      });
      integrations.set(handler, integration);
    }
    node.addMethod("ANY", integration);
  }
}

function child(parent: IResource, part: string): IResource {
  const found = parent.getResource(part);
  if (found !== undefined) return found;
  const other = part.startsWith("{")
    ? parent.node.children.find((sibling) => sibling.node.id.startsWith("{"))
    : undefined;
  if (other !== undefined)
    throw new Error(`${parent.path} cannot have both ${other.node.id} and ${part}: one variable child only`);
  return parent.addResource(part);
}
