import { testScripts } from "../support/test_scripts.ts";
import { Conversation } from "./_conversation.ts";

testScripts(
  "HTTP/2 script",
  new URL("testdata/", import.meta.url),
  () => new Conversation(),
);
