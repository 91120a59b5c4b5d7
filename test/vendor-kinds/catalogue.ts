import type { Connector } from "../../functions/connectors/define-connector.ts";
import { vendorKinds } from "./connectors.ts";
import { again, grace, steady, strict } from "./rotating-connectors.ts";

/**
 * The connectors that the tests' bundles have in addition to our own (context value `catalogue`); their hooks are in
 * `hooks/`.
 */
export const connectors: readonly Connector[] = [...vendorKinds, strict, grace, steady, again];
