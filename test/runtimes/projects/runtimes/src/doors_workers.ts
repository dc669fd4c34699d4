import { answerDoors } from './doors_answer.ts'

export default { fetch: answerDoors }
