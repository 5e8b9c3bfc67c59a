/** The package has no types: Go's HCL1 parser, compiled to JavaScript; a CommonJS module. */
declare module 'hcl-parser' {
  const hcl: {
    /** Go's two results: the data and an error, one of which is `null`. */
    parse(text: string): [data: unknown, error: unknown];
  };
  export = hcl;
}
