import {
  type IResource,
  LambdaIntegration,
  ResponseTransferMode,
  type RestApi,
} from "aws-cdk-lib/aws-apigateway";
import type { ServiceFunction } from "./service-function.ts";

/**
 * Builds an API's resources; each has the method ANY, which invokes a function that streams.
 *
 * Every path must match, because API Gateway's own 403 for an unmatched path repeats the Authorization
 * header, and API Gateway does not backtrack. So each node has ANY, and each node with a static child also
 * has a catch-all child. A node may have only one variable child (`{id}` or `{proxy+}`, not both): API
 * Gateway refuses a second one, but no linter reports it.
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
        // The default is 29 s, also for streams.
        timeout: handler.timeout as NonNullable<typeof handler.timeout>,
        // One permission for a function instead of two for each method, because the function's policy is
        // limited to 20 KB.
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
    throw new Error(
      `${parent.path} cannot have both ${other.node.id} and ${part}: only one variable child is allowed`,
    );
  return parent.addResource(part);
}
