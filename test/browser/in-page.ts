/** The script of the page: decodes what `/inputs.js` left and writes the report into the document. */
import { type BrowserReport, type CoreInput, decodeAll, fixedImplementation } from "./core.js";

interface Page {
  readonly inputs: readonly CoreInput[];
  readonly navigator: { readonly userAgent: string };
  readonly document: {
    createElement(name: string): { id: string; textContent: string };
    readonly body: { append(element: unknown): void };
  };
}
const page = globalThis as unknown as Page;

function errorOf(work: () => unknown): string {
  try {
    work();
    return "none";
  } catch (error) {
    return (error as Error).name;
  }
}

function report(): BrowserReport | { failure: string } {
  try {
    return {
      userAgent: page.navigator.userAgent,
      newFunction: errorOf(() => new Function("return 1")()),
      fixedImplementation: fixedImplementation(),
      results: decodeAll(page.inputs),
    };
  } catch (error) {
    return { failure: String((error as Error).stack) };
  }
}

const element = page.document.createElement("pre");
element.id = "report";
element.textContent = JSON.stringify(report());
page.document.body.append(element);
