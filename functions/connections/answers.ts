import * as v from "valibot";
import { ElementAnswer } from "../http/element-answers.ts";

const list = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.readonly());
const date = v.pipe(v.string(), v.isoTimestamp(), v.description("ISO 8601, UTC, in seconds"));

export const UserAnswer = v.object({
  id: v.number(),
  emailAddress: v.string(),
  firstName: v.string(),
  lastName: v.string(),
});
export type UserAnswer = v.InferOutput<typeof UserAnswer>;

/** The element of an instance; only its key, if this version does not have the connector. */
const ElementOfInstance = v.union([ElementAnswer, v.strictObject({ key: v.string() })]);

const token = v.pipe(
  v.string(),
  v.description("Shown at creation, claim and rotation; else `********`, because only its hash is stored"),
);
const missingScopes = v.exactOptional(
  v.pipe(list(v.string()), v.description("Requested at this sign-in, but not granted")),
);

export const InstanceAnswer = v.pipe(
  v.object({
    id: v.number(),
    name: v.string(),
    createdDate: date,
    updatedDate: date,
    token,
    element: ElementOfInstance,
    elementId: v.number(),
    tags: list(v.string()),
    provisionInteractions: list(v.unknown()),
    valid: v.pipe(v.boolean(), v.description("False: the user has to sign in again")),
    refreshable: v.exactOptional(v.literal(false)),
    disabled: v.boolean(),
    maxCacheSize: v.number(),
    cacheTimeToLive: v.number(),
    configuration: v.pipe(v.record(v.string(), v.string()), v.description("Secrets read `********`")),
    eventsEnabled: v.boolean(),
    traceLoggingEnabled: v.boolean(),
    cachingEnabled: v.boolean(),
    externalAuthentication: v.string(),
    user: UserAnswer,
    state: v.exactOptional(v.pipe(v.string(), v.description("As the app gave it to oauth/url"))),
    missingScopes,
  }),
  v.title("Instance"),
);
export type InstanceAnswer = v.InferOutput<typeof InstanceAnswer>;

/** The answer with `hydrate=false`: the fields that the index holds. */
export const SummaryAnswer = v.pipe(
  v.object({
    id: v.number(),
    name: v.string(),
    createdDate: date,
    token,
    element: ElementOfInstance,
    elementId: v.number(),
    tags: list(v.string()),
    user: UserAnswer,
  }),
  v.title("InstanceSummary"),
);
export type SummaryAnswer = v.InferOutput<typeof SummaryAnswer>;

export const InstancesAnswer = v.union([list(InstanceAnswer), list(SummaryAnswer), InstanceAnswer]);

export const CountAnswer = v.object({
  totalInstances: v.number(),
  elementInstances: list(
    v.object({ element: v.object({ key: v.string(), name: v.string() }), count: v.number() }),
  ),
});

export const ConfigurationEntry = v.pipe(
  v.object({
    id: v.number(),
    key: v.string(),
    name: v.string(),
    description: v.string(),
    propertyValue: v.pipe(v.string(), v.description("Secrets read `********`")),
    required: v.boolean(),
    active: v.boolean(),
  }),
  v.title("ConfigurationEntry"),
);
export type ConfigurationEntry = v.InferOutput<typeof ConfigurationEntry>;
export const ConfigurationEntries = list(ConfigurationEntry);

export const StatusAnswer = v.pipe(
  v.object({
    valid: v.boolean(),
    expiresAt: v.nullable(date),
    lastRefreshedAt: v.nullable(date),
    lastError: v.nullable(
      v.object({
        at: v.nullable(date),
        code: v.pipe(v.string(), v.description("Linkspan's error code")),
        error: v.pipe(v.nullable(v.string()), v.description("The vendor's error code")),
        errorDescription: v.nullable(v.string()),
      }),
    ),
    nextRefreshAt: v.nullable(date),
    scopes: v.nullable(list(v.string())),
    missingScopes: list(v.string()),
  }),
  v.title("InstanceStatus"),
);
export type StatusAnswer = v.InferOutput<typeof StatusAnswer>;

export const SessionAnswer = v.object({
  id: v.string(),
  connectUrl: v.pipe(v.string(), v.description("The page to open in the user's browser")),
  expiresAt: v.pipe(v.string(), v.isoTimestamp()),
});

export const Nothing = v.pipe(v.object({}), v.description("An empty object"));
