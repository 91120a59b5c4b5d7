import { authorizationContracts } from "../../functions/authorization/contracts.ts";
import { connectionContracts } from "../../functions/connections/contracts.ts";
import { hubContracts, laterContracts, linkContracts } from "../../functions/documents/contracts.ts";
import type { Contract } from "../../functions/http/contract.ts";
import { proxyContracts } from "../../functions/proxy/contracts.ts";

/** Every call of the API, by name. @throws {Error} two calls have the same name */
export function allContracts(): readonly (readonly [name: string, contract: Contract])[] {
  const all = [
    authorizationContracts,
    connectionContracts,
    hubContracts,
    linkContracts,
    laterContracts,
    proxyContracts,
  ].flatMap((each) => Object.entries<Contract>(each));
  const names = all.map(([name]) => name);
  const twice = names.find((name, position) => names.indexOf(name) !== position);
  if (twice !== undefined) throw new Error(`two calls are named ${twice}`);
  return all;
}
