// What a text costs a model, for tests in other folders: packages are looked for from here.
export { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
