import * as v from "valibot";
import { ElementAnswer } from "../http/element-answers.ts";

export const HubAnswer = v.pipe(
  v.object({ id: v.number(), key: v.string(), name: v.string(), description: v.string() }),
  v.title("Hub"),
);

const list = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.readonly());

export const Hubs = list(HubAnswer);
export const Keys = list(v.string());
export const Elements = list(ElementAnswer);

const methods = list(v.pipe(v.string(), v.description("`GET /files/metadata`")));

export const ElementMetadata = v.pipe(
  v.object({
    id: v.number(),
    key: v.string(),
    name: v.string(),
    description: v.string(),
    authentication: v.object({
      type: v.string(),
      pkce: v.boolean(),
      refreshTokens: v.boolean(),
      revocation: v.boolean(),
      defaultScopes: list(v.string()),
    }),
    supportedMethods: methods,
    unsupportedMethods: v.exactOptional(methods),
    fileDetails: v.exactOptional(v.object({ description: v.boolean(), tags: v.boolean() })),
    search: v.exactOptional(v.boolean()),
    events: v.object({ supported: v.boolean(), methods: list(v.string()) }),
  }),
  v.title("ElementMetadata"),
);
export type ElementMetadata = v.InferOutput<typeof ElementMetadata>;
export const ElementsMetadata = list(ElementMetadata);

export const OldAuthorizationUrl = v.object({ element: v.string(), oauthUrl: v.string() });

export const AuthorizationUrl = v.object({
  element: v.string(),
  oauthUrl: v.pipe(v.string(), v.description("The URL at which the user signs in")),
  state: v.pipe(
    v.string(),
    v.description("The vendor returns it with the code: send both to POST /instances"),
  ),
  expiresAt: v.pipe(v.string(), v.isoTimestamp()),
});
