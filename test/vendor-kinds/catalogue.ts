import type { Connector } from "../../functions/connectors/define-connector.ts";
import { vendorKinds } from "./connectors.ts";
import { again, grace, steady, strict } from "./rotating-connectors.ts";

/** What bundles for tests have beside our own connectors (context value `catalogue`); their hooks are in `hooks/`. */
export const connectors: readonly Connector[] = [...vendorKinds, strict, grace, steady, again];
