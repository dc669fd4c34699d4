export default defineEventHandler(() => '<h1>hello</h1>')
