import { connectionErrors, contracts } from "../http/contract.ts";

export const proxyContracts = contracts({
  proxy: {
    method: "ANY",
    paths: ["/proxy/{vendorPath+}"],
    summary: "Forwards a call to the vendor",
    description:
      "Method, path, query, headers and body go to the vendor's API, with the vendor's credential in place of the instance token; the vendor's status, headers and body come back. The header `Elements-Error-Source: linkspan` marks an error from Linkspan; an error from the vendor does not have it.",
    group: "Raw proxy",
    auth: "vendorPlace",
    body: { mediaTypes: ["*/*"], description: "Any body that the vendor takes" },
    errors: [...connectionErrors, "misplaced_token", "unknown_host", "not_supported"],
    answers: {
      200: { description: "The vendor's answer, with the vendor's status", mediaTypes: ["*/*"] },
    },
  },
});
