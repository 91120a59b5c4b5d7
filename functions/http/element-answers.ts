import * as v from "valibot";

/** Describes a value that an element takes in `configuration`, in the form that old clients expect. */
const ConfigurationFieldAnswer = v.looseObject({
  key: v.string(),
  name: v.string(),
  description: v.string(),
  type: v.picklist(["PASSWORD", "TEXTFIELD_128"]),
  required: v.boolean(),
});

/** A connector in the form of the API: an *element*. Every text is a string, never null. */
export const ElementAnswer = v.pipe(
  v.looseObject({
    id: v.number(),
    name: v.string(),
    key: v.string(),
    hub: v.string(),
    description: v.string(),
    image: v.pipe(v.string(), v.description("Relative to `/elements/images/`")),
    active: v.boolean(),
    typeOauth: v.boolean(),
    signupURL: v.string(),
    documentationUrl: v.string(),
    authentication: v.object({ type: v.string() }),
    authenticationTypes: v.pipe(v.array(v.string()), v.readonly()),
    configuration: v.pipe(v.array(ConfigurationFieldAnswer), v.readonly()),
  }),
  v.title("Element"),
);
export type ElementAnswer = v.InferOutput<typeof ElementAnswer>;
