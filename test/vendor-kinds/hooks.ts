import type { Connector } from "../../functions/connectors/define-connector.ts";
import type { TokenHooks } from "../../functions/connectors/token-hooks.ts";

/** The hooks of the tests' own vendors. */
export async function vendorKindHooks({ oauth2: { hooks } }: Connector): Promise<TokenHooks> {
  return hooks === undefined ? {} : await import(`./hooks/${hooks}.ts`);
}
