/* What the kernel starts for every arm64 program inside the emulated board: qemu, as one processor.
 *
 * QEMU_CPU alone is not enough. A program that gives its children a clean environment, as the
 * installer does, would give them qemu's default processor too, which has every feature there is.
 */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **arguments)
{
    char processor[64] = "";
    FILE *file = fopen("/.emulator/processor", "r");
    (void)count;
    if (file == NULL || fgets(processor, sizeof processor, file) == NULL)
        return 127;
    fclose(file);
    processor[strcspn(processor, "\n")] = '\0';
    setenv("QEMU_CPU", processor, 1);
    execv("/.emulator/qemu", arguments);
    return 127;
}
