import { createServer } from 'node:http'
import { answerDoors } from './doors_answer.ts'

createServer(async (req, res) => {
  const response = await answerDoors(new Request(`http://localhost${req.url}`))
  res.end(await response.text())
}).listen(Number(process.env['PORT']), '127.0.0.1')
