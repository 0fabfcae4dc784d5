import{b as e}from"./ui-BC8GY4rh.js";function t({text:t,label:n}){return e(`div`,{class:`diff`,tabIndex:0,role:`region`,"aria-label":n,children:t.split(`
`).map((t,n)=>t.startsWith(`+`)?e(`ins`,{children:t},n):t.startsWith(`-`)?e(`del`,{children:t},n):e(`span`,{children:t||` `},n))})}var n=(e,t)=>t.split(`
`).map(t=>`${e} ${t}`).join(`
`),r=(e,t)=>[e&&n(`-`,e),t&&n(`+`,t)].filter(Boolean).join(`
`);export{r as n,t};