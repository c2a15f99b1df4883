"""The floor of POST /v1/cases: a bare FastAPI that reads the same order into a model and gives it back."""

from fastapi import FastAPI
from pydantic import BaseModel


class Order(BaseModel):
    """The fields that the orders of the benchmark have."""

    source_system: str
    source_order_no: str
    received_at: str
    content: str
    title: str = ""
    institution: str = ""
    street: str = ""


app = FastAPI()


@app.post("/echo", status_code=201)
async def echo(order: Order) -> Order:
    """Give it back."""
    return order
