import type { CatalogueEntry } from "../connectors/catalogue-entry.ts";
import { configurationFields } from "../core/instances/configuration-fields.ts";
import type { ElementAnswer } from "./element-answers.ts";

/** The element object in answers of the catalogue and in each instance. */
export function elementRepresentation(
  connector: Omit<CatalogueEntry, "authentication" | "documents">,
): ElementAnswer {
  return {
    id: connector.id,
    name: connector.name,
    key: connector.key,
    hub: connector.hub,
    description: connector.description,
    image: `${connector.key}.svg`,
    active: true,
    deleted: false,
    typeOauth: true,
    trialAccount: false,
    trialAccountDescription: "",
    existingAccountDescription: "",
    configDescription: "",
    signupURL: connector.console,
    documentationUrl: connector.docs,
    authentication: { type: "oauth2" },
    authenticationTypes: ["oauth2"],
    configuration: configurationFields(connector).map((field) => ({
      key: field.key,
      name: field.name,
      description: field.description,
      type: field.secret === true ? "PASSWORD" : "TEXTFIELD_128",
      required: field.required,
      active: true,
      internal: false,
      groupControl: false,
      displayOrder: 0,
      hideFromConsole: false,
      requestConfiguration: true,
    })),
    parameters: [],
    private: false,
    beta: false,
    cloneable: false,
    extendable: false,
    transformationsEnabled: false,
    bulkDownloadEnabled: false,
    bulkUploadEnabled: false,
    protocolType: "http",
  };
}
