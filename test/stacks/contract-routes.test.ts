import { expect, it } from "vitest";
import { authorizationContracts } from "../../functions/authorization/contracts.ts";
import { connectionContracts } from "../../functions/connections/contracts.ts";
import { hubContracts, laterContracts, linkContracts } from "../../functions/documents/contracts.ts";
import type { Contract } from "../../functions/http/contract.ts";
import { proxyContracts } from "../../functions/proxy/contracts.ts";
import { matchRoute } from "../../local/api-gateway/match-route.ts";
import { readAssembly, readTemplate } from "../../local/template.ts";

it.each<[string, Readonly<Record<string, Contract>>]>([
  ["Authorization", authorizationContracts],
  ["Connections", connectionContracts],
  ["Documents", { ...hubContracts, ...linkContracts, ...laterContracts }],
  ["Proxy", proxyContracts],
])("API Gateway routes every path of a contract of %s to that function", async (name, contracts) => {
  const { api } = readTemplate(await readAssembly("cdk.out"), { queueUrl: () => "" });
  const paths = Object.values(contracts).flatMap((contract) => contract.paths);
  expect(paths.length).toBeGreaterThan(0);
  const elsewhere = paths.filter((path) => {
    const asked = `/api-v2${path.replace(/\{[^}]+\}/g, "x")}`;
    return matchRoute(api.root, asked, "GET")?.method.functionName !== name;
  });
  expect(elsewhere).toEqual([]);
});
