import { graphVendor } from "./graph.ts";

/** What the hub does at OneDrive: `/` is the root folder of the user's own drive. */
export const onedrivev2 = graphVendor({ connector: "onedrivev2", drive: async () => "/v1.0/me/drive" });
