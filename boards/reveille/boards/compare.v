// Comparisons of two variables by look-up tables, one a bit: a rule for Yosys.
//
// Yosys subtracts instead. On an iCE40 that takes a cell a bit for the carries, whose look-up table
// goes to waste, and another one for each bit that must be inverted first.

(* techmap_celltype = "$lt $le $gt $ge" *)
module compare (A, B, Y);

parameter A_SIGNED = 0;
parameter B_SIGNED = 0;
parameter A_WIDTH = 1;
parameter B_WIDTH = 1;
parameter Y_WIDTH = 1;
parameter _TECHMAP_CELLTYPE_ = "";
parameter _TECHMAP_CONSTMSK_A_ = 0;
parameter _TECHMAP_CONSTMSK_B_ = 0;

input [A_WIDTH-1:0] A;
input [B_WIDTH-1:0] B;
output [Y_WIDTH-1:0] Y;

localparam WIDTH = A_WIDTH > B_WIDTH ? A_WIDTH : B_WIDTH;
localparam LESS = _TECHMAP_CELLTYPE_ == "$lt" || _TECHMAP_CELLTYPE_ == "$ge";
localparam EQUAL = _TECHMAP_CELLTYPE_ == "$le" || _TECHMAP_CELLTYPE_ == "$ge";

// Yosys has a rule of its own for constants.
wire _TECHMAP_FAIL_ = (A_SIGNED && B_SIGNED)
    || &_TECHMAP_CONSTMSK_A_ || &_TECHMAP_CONSTMSK_B_;

wire [WIDTH-1:0] left = LESS ? B : A;
wire [WIDTH-1:0] right = LESS ? A : B;
wire [WIDTH:0] greater;  // left than right, by the bits below

assign greater[0] = 0;
genvar i;
generate
    for (i = 0; i < WIDTH; i = i + 1)
        assign greater[i + 1] = left[i] ^ right[i] ? left[i] : greater[i];
endgenerate
assign Y = greater[WIDTH] ^ EQUAL;

endmodule
