#include <stdio.h>
int main(void)
{
    puts("porteiro");
    return 0;
}
