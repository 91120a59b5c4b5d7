import { connectionErrors, contracts } from "../http/contract.ts";

export const proxyContracts = contracts({
  proxy: {
    method: "ANY",
    paths: ["/proxy/{vendorPath+}"],
    summary: "Hands a call on to the vendor",
    description:
      "Method, path, query, headers and body go to the vendor's API, with its own credential in place of the instance token; status, headers and body come back as they are. The header `Elements-Error-Source: linkspan` tells an error of Linkspan's from one of the vendor's.",
    group: "Raw proxy",
    auth: "vendorPlace",
    body: { mediaTypes: ["*/*"], description: "What the vendor takes" },
    errors: [...connectionErrors, "misplaced_token", "unknown_host", "not_supported"],
    answers: {
      200: { description: "Whatever the vendor answers, under its own status", mediaTypes: ["*/*"] },
    },
  },
});
