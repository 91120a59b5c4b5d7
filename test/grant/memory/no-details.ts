import type {
  KeptDetailsRemoval,
  KeptDetailsResealing,
} from "../../../functions/core/instances/kept-details-store.ts";

/** The tables of these tests keep no details of files: test/unit/documents/kept-details.test.ts has a table that does. */
export const noDetails: KeptDetailsRemoval & KeptDetailsResealing = {
  removeDetails: async () => {},
  async *listDetails() {},
  resealDetails: async () => false,
};
