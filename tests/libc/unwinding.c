/* Calls unwinding.rs and ends with what that returns. */
int unwinding_and_threads(void);

int main(void)
{
    return unwinding_and_threads();
}
