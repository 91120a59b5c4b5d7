import type { Connector } from "../../connectors/define-connector.ts";
import { present } from "../present.ts";
import { StoreRefused } from "../store-refused.ts";
import { budgets, jsonBytes, textBytes } from "./budgets.ts";
import type { Grant } from "./instance.ts";

type Declares = Pick<Connector, "captured">;

/**
 * Fits a grant into its budgets: drops the largest members that the vendor sent besides the tokens until the
 * rest fits. The tokens stay, and so do the members that the connector declares in `captured`.
 */
export function fitGrant(connector: Declares, grant: Grant): Grant {
  const { extra, scope, tokenType, ...rest } = grant;
  const kept = extra === undefined ? undefined : fitExtra(connector, extra);
  return {
    ...rest,
    tokenType: textBytes(tokenType) > budgets.tokenType ? "bearer" : tokenType,
    ...(scope === undefined || textBytes(scope) > budgets.scope ? {} : { scope }),
    ...present({ extra: kept }),
  };
}

function fitExtra(
  connector: Declares,
  extra: Readonly<Record<string, string>>,
): Record<string, string> | undefined {
  const left = new Map(Object.entries(extra));
  let size = jsonBytes(extra);
  const droppable = [...left]
    .filter(([name]) => !isDeclared(connector, name))
    .map(([name, value]) => ({ name, bytes: jsonBytes({ [name]: value }) }))
    .toSorted((one, other) => other.bytes - one.bytes);
  for (const { name, bytes } of droppable) {
    if (size <= budgets.extra) break;
    left.delete(name);
    // The size of the one-member object has two braces; the removed member has one comma instead.
    size -= bytes - 1;
  }
  return left.size === 0 ? undefined : Object.fromEntries(left);
}

/** The grant without members that its connector does not declare. `undefined`: there is nothing to remove. */
export function withoutUndeclared(connector: Declares, grant: Grant): Grant | undefined {
  const { extra = {}, ...rest } = grant;
  const declared = Object.entries(extra).filter(([name]) => isDeclared(connector, name));
  if (declared.length === Object.keys(extra).length) return undefined;
  return declared.length === 0 ? rest : { ...rest, extra: Object.fromEntries(declared) };
}

/** @throws {StoreRefused} the tokens alone are larger than the room that each item reserves for a grant */
export function refuseTooLarge(grant: Grant): void {
  const bytes = jsonBytes(grant);
  if (bytes > budgets.grant) {
    throw new StoreRefused("table", `a grant has ${bytes} bytes, but only ${budgets.grant} are reserved`, {
      tooLarge: true,
    });
  }
}

function isDeclared({ captured: told }: Declares, name: string): boolean {
  return told?.some(({ key }) => key === name) === true;
}
